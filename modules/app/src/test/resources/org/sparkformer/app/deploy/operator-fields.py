"""Writes operator-fields.txt: which fields and values the Spark operator's published API allows.

    git clone --branch v2.5.2 --depth 1 https://github.com/kubeflow/spark-operator
    python3 operator-fields.py spark-operator/config/crd/bases > operator-fields.txt

Needs PyYAML. Left out, and so refused by the test, is what lies below Kubernetes' own large types.
"""

import sys
import yaml

OPAQUE = {"affinity", "dnsConfig", "initContainers", "sidecars", "lifecycle", "podSecurityContext",
          "securityContext", "batchSchedulerOptions", "driverIngressOptions", "sparkUIOptions",
          "monitoring", "template"}
VOLUMES = {"name", "persistentVolumeClaim", "hostPath", "configMap", "secret", "emptyDir", "nfs"}
# The CRD has no enumeration of these; they are constants of api/v1beta2/scheduledsparkapplication_types.go.
CONSTANTS = {"spec.concurrencyPolicy": ["Allow", "Forbid", "Replace"]}


def spec(folder, plural):
    with open(f"{folder}/sparkoperator.k8s.io_{plural}.yaml") as file:
        versions = yaml.safe_load(file)["spec"]["versions"]
    (version,) = [v for v in versions if v["name"] == "v1beta2"]
    return version["schema"]["openAPIV3Schema"]["properties"]["spec"]


def kind(node):
    if "additionalProperties" in node:
        return "map"
    return "any" if node.get("x-kubernetes-int-or-string") else node["type"]


def walk(node, path, required):
    values = node.get("enum") or CONSTANTS.get(path)
    words = [path, kind(node)]
    words += ["|".join(values)] if values else []
    words += ["required"] if required else []
    print(" ".join(words))
    name = path.rsplit(".", 1)[-1]
    if name in OPAQUE and path != "spec.template":
        return
    if node.get("type") == "array":
        walk(node["items"], path + "[]", False)
    for child, below in sorted(node.get("properties", {}).items()):
        if path != "spec.volumes[]" or child in VOLUMES:
            walk(below, f"{path}.{child}", child in node.get("required", []))


application = spec(sys.argv[1], "sparkapplications")
scheduled = spec(sys.argv[1], "scheduledsparkapplications")
assert scheduled["properties"].pop("template")["properties"] == application["properties"]
scheduled["properties"]["template"] = {"type": "object"}
print("# kubeflow/spark-operator v2.5.2, config/crd/bases, sparkoperator.k8s.io/v1beta2; by operator-fields.py")
print("# path, type, the values allowed, whether it must be there. The template of the scheduled kind is a spec of")
print("# the other.")
print("kind SparkApplication")
walk(application, "spec", True)
print("kind ScheduledSparkApplication")
walk(scheduled, "spec", True)
