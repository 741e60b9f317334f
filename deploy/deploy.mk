# The files that deploy/ ships, and their checks, one target per kind. They need root, a Linux with systemd's and Debian's tools
# (.ci/run installs them), and no network. Checks that the machine does not allow are skipped, and listed at the end: a container without
# CAP_SYS_ADMIN runs no gateways in namespaces, one without cgroups runs the image by chroot. DEPLOY_STRICT=1 makes each of these an error.
export DEPLOY_STRICT
SKIPPED = bin/deploy-skipped
NFPM = $$($(GO) tool -modfile=tools/nfpm.mod -n nfpm)
DEPLOY_TEST = $(GO) test -tags deploy -count=1 -v ./deploy/check -run
DEPLOY_CHECKS += deploy-binary deploy-cross deploy-packages-check deploy-image-check deploy-image-clients deploy-compose deploy-release

# The tests share ports and bin/: one target after the other.
.PHONY: deploy-check
deploy-check: ## Hold what deploy/ ships to its promises: binary, packages, unit, image, compose, release
	@rm -f $(SKIPPED)
	@for check in $(DEPLOY_CHECKS); do \
		start=$$(date +%s); $(MAKE) --no-print-directory $$check || exit 1; echo "make $$check: $$(( $$(date +%s) - start )) s"; done
	@if [ -s $(SKIPPED) ]; then echo "make deploy-check: these were left out"; sort -u $(SKIPPED); fi

.PHONY: deploy-packages
deploy-packages: build
	deploy/systemd/package.sh "$(NFPM)" "$(VERSION)"

.PHONY: deploy-image
deploy-image: build
	deploy/docker/image.sh "$(VERSION)" "$(COMMIT)"

# The parts of the binary, for docs/deploy.md.
.PHONY: deploy-size
deploy-size: ui
	CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=false $(SMALL) -o $(BINARY)-symbols ./cmd/slowburn
	$(GO) -C tools run ./size $(CURDIR)/$(BINARY)-symbols

.PHONY: deploy-binary
deploy-binary: build
	$(DEPLOY_TEST) '^TestBinary'

# The other systems of a release compile and link: one that differs in both system and processor, and in `make soak` all.
OTHERS = linux/arm64 darwin/arm64 darwin/amd64
CROSS ?= darwin/arm64
.PHONY: deploy-cross
deploy-cross: ui
	@for target in $(CROSS); do \
		GOOS=$${target%/*} GOARCH=$${target#*/} $(STATIC) -o /dev/null ./cmd/slowburn || exit 1; echo "$$target builds"; done

.PHONY: deploy-packages-check
deploy-packages-check: deploy-packages
	$(DEPLOY_TEST) '^Test(Unit|Package|Deb)'

.PHONY: deploy-image-check
deploy-image-check: deploy-image
	$(DEPLOY_TEST) '^TestImage'

# The image in place of bin/slowburn, run by `buildah run` under the clients of `make e2e`: OTLP as JSON and as protobuf, over HTTP and gRPC, large
# and repeated requests, queries of the API. deploy-image-sdks runs the SDKs, which `make sdks` fetches over a network.
IMAGE_CLIENTS = cd test/e2e && mkdir -p ../../bin/check && export SLOWBURN_DATA_DIR=$(CURDIR)/bin/check E2E_PROGRAM=../../deploy/docker/run.sh; \
	if reason=$$($$E2E_PROGRAM --version 2>&1); then $(GO) test -tags e2e -count=1 -parallel 8 -v . -run "$$tests"; else \
	echo "SKIP $@: the image cannot be run here by buildah and runc: "$$reason | tee -a ../../$(SKIPPED); test -z "$$DEPLOY_STRICT"; fi
.PHONY: deploy-image-clients
deploy-image-clients: deploy-image
	@tests='^Test(KeptTracesReachTheBackendWhole|RepeatedRequest|BytesAndDecodedSpansAreEqual|LargeSpanArrivesTrimmed)$$'; $(IMAGE_CLIENTS)

.PHONY: deploy-image-sdks
deploy-image-sdks: deploy-image sdks ## Run the image under real SDKs
	@tests='^TestSDKs$$'; $(IMAGE_CLIENTS)

# The stages that compile, and the shop: a minute with warm caches, in `make soak`.
.PHONY: deploy-image-stages
deploy-image-stages: build
	nice deploy/docker/stages.sh "$(VERSION)" "$(COMMIT)"

.PHONY: deploy-compose
deploy-compose: build
	$(DEPLOY_TEST) '^TestCompose'

.PHONY: deploy-release
deploy-release:
	$(DEPLOY_TEST) '^TestRelease'

# A release without a tag and a network, into bin/dist. By hand: the first time goreleaser compiles, a quarter of an hour on two cores, and so it is a part of no other target.
GORELEASER ?= $(GO) run github.com/goreleaser/goreleaser/v2@v2.15.1
.PHONY: release-check
release-check: ui
	nice $(GORELEASER) check --config deploy/release/.goreleaser.yaml
	nice $(GORELEASER) release --config deploy/release/.goreleaser.yaml --clean --snapshot --skip=sign,publish,sbom
