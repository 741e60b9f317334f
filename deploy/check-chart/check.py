"""Checks the Helm chart, the plain manifests and the custom resources, without a cluster or a network.

Each file of the chart's ci/ is linted and rendered; its objects are held against the schemas of Kubernetes, and custom resources against
their CRDs, unknown keys refused; its configuration is one that the gateway accepts. Values that docs show are checked in the same way. Each file of bad-values/ and bad-crs/ must be refused
with what its first line says. With --write the plain manifests are rendered and the chart's copies are made, in place of being compared.
"""

import argparse
import copy
import json
import pathlib
import re
import subprocess
import sys
import tempfile

import jsonschema
import kubernetes_validate
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHART = ROOT / "deploy/helm/slowburn"
PLAIN = ROOT / "deploy/kubernetes/slowburn.yaml"
CR = ROOT / "deploy/kubernetes/otelcol-cr.yaml"
# The oldest version of Kubernetes that the chart is for, and a recent one.
VERSIONS = ("1.25", "1.34")
# Modules that have CRDs in them, pinned in tools/crds/go.mod, and where.
CRDS = {
    "github.com/open-telemetry/opentelemetry-operator": ["config/crd/bases/opentelemetry.io_opentelemetrycollectors.yaml"],
    "github.com/prometheus-operator/prometheus-operator": [
        "example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml",
        "example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml",
    ],
    "sigs.k8s.io/gateway-api": ["config/crd/standard/gateway.networking.k8s.io_httproutes.yaml"],
}
# Files that the chart has copies of, because a chart is packed without its surroundings.
COPIES = {
    "config.yaml": ROOT / "config.yaml",
    "alerts.yaml": ROOT / "deploy/monitoring/alerts.yaml",
    "rules.yaml": ROOT / "deploy/monitoring/rules.yaml",
    "dashboards/gateway.json": ROOT / "deploy/monitoring/dashboards/gateway.json",
    "dashboards/objectives.json": ROOT / "deploy/monitoring/dashboards/objectives.json",
    "dashboards/sampling.json": ROOT / "deploy/monitoring/dashboards/sampling.json",
}
# Pages that show values, and how a block of them begins.
PAGES = {ROOT / "docs/kubernetes.md": "yaml values", CHART / "README.md": "yaml"}


class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
    """YAML as Kubernetes reads it: = is a text."""


Loader.add_constructor("tag:yaml.org,2002:value", lambda loader, node: node.value)


def load(text):
    """The documents of a YAML file."""
    return [o for o in yaml.load_all(text, Loader) if o]


class Wrong(Exception):
    """What is wrong with a file."""


def run(*command, **options):
    return subprocess.run([str(c) for c in command], capture_output=True, text=True, **options)


class Helm:
    def __init__(self, binary):
        self.binary = binary

    def template(self, values=None, release="gw", namespace="default", version=VERSIONS[-1], values_text=None):
        command = [self.binary, "template", release, CHART, "--namespace", namespace, "--kube-version", version]
        done = run(*command, *(["--values", values] if values else []), input=values_text)
        if done.returncode:
            raise Wrong(done.stderr)
        return done.stdout

    def lint(self, values):
        done = run(self.binary, "lint", "--strict", "--kube-version", VERSIONS[-1], "--values", values, CHART)
        if done.returncode:
            raise Wrong(done.stdout + done.stderr)


def crds():
    """The schemas of custom resources by group, version and kind."""
    found = {}
    for module, files in CRDS.items():
        done = run("go", "mod", "download", "-json", module, cwd=ROOT / "tools/crds")
        where = json.loads(done.stdout)
        if "Dir" not in where:
            raise Wrong(f"{module}: {where.get('Error', done.stderr)}")
        for file in files:
            crd = load(pathlib.Path(where["Dir"], file).read_text())[0]
            for version in crd["spec"]["versions"]:
                name = f"{crd['spec']['group']}/{version['name']}", crd["spec"]["names"]["kind"]
                found[name] = strict(copy.deepcopy(version["schema"]["openAPIV3Schema"]), top=True)
    return found


def strict(schema, top=False):
    """Makes a CRD's schema one of JSON Schema that refuses unknown keys, as the API server's strict field validation does."""
    if schema.get("x-kubernetes-int-or-string"):
        schema.pop("type", None)
        schema["anyOf"] = [{"type": "integer"}, {"type": "string"}]
    if schema.pop("nullable", False) and "type" in schema:
        schema["type"] = [schema["type"], "null"]
    schema.pop("format", None)
    for child in schema.get("properties", {}).values():
        strict(child)
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            strict(schema[key])
    if "properties" in schema and "additionalProperties" not in schema and not schema.get("x-kubernetes-preserve-unknown-fields"):
        schema["additionalProperties"] = False
    if top:
        schema["properties"]["metadata"] = {"type": "object"}
    return schema


def check_object(obj, schemas):
    """Raises Wrong for what the API server would refuse of an object."""
    name = obj["apiVersion"], obj["kind"]
    what = f"{obj['kind']} {obj['metadata']['name']}"
    if name in schemas:
        errors = sorted(jsonschema.Draft7Validator(schemas[name]).iter_errors(obj), key=str)
        if errors:
            raise Wrong("\n".join(f"{what}: {'.'.join(map(str, e.absolute_path))}: {e.message}" for e in errors))
        return
    for version in VERSIONS:
        try:
            kubernetes_validate.validate(obj, version, strict=True)
        except kubernetes_validate.ValidationError as err:
            raise Wrong(f"{what}: {'.'.join(map(str, err.path))}: {err.message}") from err


def check_config(slowburn, config, policies=None):
    """Raises Wrong for a configuration that the gateway does not take. Files of the pod are those of the ConfigMap."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        for file, text in (policies or {}).items():
            (folder / file).write_text(text)
        file = folder / "config.yaml"
        file.write_text(config.replace("/etc/slowburn/policies", str(folder)))
        env = {"SLOWBURN_DATA_DIR": str(folder / "data"), "POD_NAME": "gw-0", "POD_NAMESPACE": "ns", "BACKEND_TOKEN": "t", "ONCALL_URL": "http://127.0.0.1:1/hook"}
        done = run(slowburn, "validate", "--config", file, env=env)
        if done.returncode:
            raise Wrong(done.stderr or done.stdout)


def check_manifests(text, schemas, slowburn):
    objects = load(text)
    names = set()
    for obj in objects:
        check_object(obj, schemas)
        name = obj["kind"], obj["metadata"]["name"]
        if name in names:
            raise Wrong(f"{name} is there twice")
        names.add(name)
    data = {o["metadata"]["name"]: o["data"] for o in objects if o["kind"] == "ConfigMap"}
    for name, files in data.items():
        if "config.yaml" in files:
            check_config(slowburn, files["config.yaml"], data[name + "-policies"])
    check_pod(objects, data)


def check_pod(objects, data):
    """Raises Wrong for what no schema knows: names that lead nowhere, and a Service that takes another pod for the gateway."""
    [gateway] = [o for o in objects if o["kind"] == "StatefulSet"]
    spec = gateway["spec"]["template"]["spec"]
    claims = {c["metadata"]["name"] for c in gateway["spec"].get("volumeClaimTemplates", [])}
    for mount in spec["containers"][0]["volumeMounts"]:
        if mount["name"] not in claims | {v["name"] for v in spec["volumes"]}:
            raise Wrong(f"{mount['mountPath']}: there is no volume {mount['name']}")
        if "subPath" in mount:
            raise Wrong(f"{mount['mountPath']}: what is mounted with subPath never changes")
    variables = {e["name"] for e in spec["containers"][0]["env"]}
    for files in data.values():
        for name in re.findall(r"\$\{env:(\w+)\}", files.get("config.yaml", "")):
            if name not in variables:
                raise Wrong(f"${{env:{name}}} would be empty where the Secret has no such key, and the pod would start")
    for volume in spec["volumes"]:
        if volume["name"] in ("config", "policies") and volume["configMap"]["name"] not in data:
            raise Wrong(f"there is no ConfigMap {volume['configMap']['name']}")
    ports = {p["name"] for p in spec["containers"][0]["ports"]}
    for obj in objects:
        if obj["kind"] == "Service":
            for port in obj["spec"]["ports"]:
                if port["targetPort"] not in ports:
                    raise Wrong(f"{obj['metadata']['name']}: the pod has no port {port['targetPort']}")
            for pod in (o for o in objects if o["kind"] == "Pod"):
                if obj["spec"]["selector"].items() <= pod["metadata"]["labels"].items():
                    raise Wrong(f"{obj['metadata']['name']} takes the pod {pod['metadata']['name']} for a gateway")


def plain(helm):
    note = (
        "# Rendered from the chart by `make manifests`, with its default values and without what only Helm runs. For those who do not use Helm:\n"
        "#   kubectl create namespace slowburn && kubectl -n slowburn apply -f slowburn.yaml\n"
    )
    kept = []
    for part in helm.template(release="slowburn", namespace="slowburn").split("\n---\n"):
        obj = (load(part) or [None])[0]
        if obj and "helm.sh/hook" not in obj["metadata"].get("annotations", {}):
            lines = part.removeprefix("---\n").strip().splitlines()
            kept.append("\n".join(li for li in lines if "helm.sh/chart:" not in li and "managed-by: Helm" not in li and "# Source:" not in li))
    return note + "---\n" + "\n---\n".join(kept) + "\n"


def readme(docs):
    done = run(docs, "--chart-search-root", CHART, "--dry-run", "--sort-values-order", "file", "--log-level", "error")
    if done.returncode:
        raise Wrong(done.stderr)
    return done.stdout.strip() + "\n"


def current(file, want, write):
    if write:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(want)
    elif not file.exists() or file.read_text() != want:
        raise Wrong(f"{file.relative_to(ROOT)} is not current: run `make manifests`")


def refused(file, check):
    """Raises Wrong where a bad file is not refused with the words of its first line, which are separated by |."""
    want = file.read_text().splitlines()[0].removeprefix("# error: ")
    try:
        check()
    except Wrong as err:
        missing = [w for w in want.split(" | ") if w not in str(err)]
        if missing:
            raise Wrong(f"the error does not say {missing}, but: {err}") from err
        return
    raise Wrong(f"it must be refused: {want}")


def main():
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("--helm", required=True)
    args.add_argument("--helm-docs", required=True)
    args.add_argument("--slowburn", default=str(ROOT / "bin/slowburn"))
    args.add_argument("--write", action="store_true")
    args = args.parse_args()
    helm, failures, checked = Helm(args.helm), 0, 0

    def check(what, step):
        nonlocal failures, checked
        checked += 1
        try:
            step()
        except Wrong as err:
            failures += 1
            print(f"{what.relative_to(ROOT)}: {err}", file=sys.stderr)

    for copied, source in COPIES.items():
        check(CHART / "files" / copied, lambda c=copied, s=source: current(CHART / "files" / c, s.read_text(), args.write))
    check(CHART / "README.md", lambda: current(CHART / "README.md", readme(args.helm_docs), args.write))
    check(PLAIN, lambda: current(PLAIN, plain(helm), args.write))
    if args.write:
        return 1 if failures else 0

    schemas = crds()
    for file in sorted((CHART / "ci").glob("*.yaml")):
        check(file, lambda f=file: helm.lint(f))
        for version in VERSIONS:
            check(file, lambda f=file, v=version: check_manifests(helm.template(f, version=v), schemas, args.slowburn))
    check(PLAIN, lambda: check_manifests(PLAIN.read_text(), schemas, args.slowburn))
    for page, fence in PAGES.items():
        blocks = re.findall(rf"^```{fence}\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
        if not blocks:
            raise SystemExit(f"{page} shows no values")
        for block in blocks:
            check(page, lambda b=block: check_manifests(helm.template("-", values_text=b), schemas, args.slowburn))

    [resource] = load(CR.read_text())
    check(CR, lambda: check_object(resource, schemas))
    check(CR, lambda: check_config(args.slowburn, yaml.safe_dump(resource["spec"]["config"])))

    bad = sorted((pathlib.Path(__file__).parent / "bad-values").glob("*.yaml"))
    for file in bad:
        check(file, lambda f=file: refused(f, lambda: check_manifests(helm.template(f), schemas, args.slowburn)))
    for file in sorted((pathlib.Path(__file__).parent / "bad-crs").glob("*.yaml")):
        [obj] = load(file.read_text())
        check(file, lambda f=file, o=obj: refused(f, lambda: check_object(o, schemas)))
    if checked < 40:
        raise SystemExit(f"only {checked} checks: the files were not found")
    print(f"{checked} checks of the chart and the manifests, {failures} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
