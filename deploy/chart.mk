# Checks of the chart, the manifests and the monitoring, and their generators. Included by the Makefile; deploy-check of deploy.mk runs both checks.
DEPLOY_CHECKS += deploy-check-chart deploy-check-monitoring
HELM := bin/helm
HELM_DOCS := bin/helm-docs
CHECK_CHART := deploy/check-chart

$(HELM): tools/helm/go.mod
	$(GO) build -modfile=tools/helm/go.mod -o $@ helm.sh/helm/v3/cmd/helm

$(HELM_DOCS): tools/helm/go.mod
	$(GO) build -modfile=tools/helm/go.mod -o $@ github.com/norwoodj/helm-docs/cmd/helm-docs

$(CHECK_CHART)/.venv/installed: $(CHECK_CHART)/requirements.txt
	python3 -m venv $(CHECK_CHART)/.venv
	$(CHECK_CHART)/.venv/bin/pip install --quiet --disable-pip-version-check -r $<
	@touch $@

.PHONY: deploy-check-chart
deploy-check-chart: build $(HELM) $(HELM_DOCS) $(CHECK_CHART)/.venv/installed ## Check the Helm chart, the manifests and the custom resources
	$(CHECK_CHART)/.venv/bin/python $(CHECK_CHART)/check.py --helm $(HELM) --helm-docs $(HELM_DOCS)

.PHONY: deploy-check-monitoring
deploy-check-monitoring: ## Check the alerts, rules and dashboards about the gateway itself
	promtool check rules deploy/monitoring/alerts.yaml deploy/monitoring/rules.yaml
	cd deploy/monitoring/tests && promtool test rules *.yaml
	$(GO) test ./deploy/monitoring
	cd tools/dashboards && $(GO) test ./...

.PHONY: manifests
manifests: $(HELM) $(HELM_DOCS) $(CHECK_CHART)/.venv/installed ## Generate the dashboards, the plain manifests and the chart's README
	cd tools/dashboards && $(GO) run . ../../deploy/monitoring/dashboards
	$(CHECK_CHART)/.venv/bin/python $(CHECK_CHART)/check.py --helm $(HELM) --helm-docs $(HELM_DOCS) --write
