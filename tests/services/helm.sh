#!/usr/bin/env bash
# Builds Helm 3 from its Go module into the cache and prints the path of the program. Idempotent.
set -euo pipefail
version=${HELM_VERSION:-3.22.0}
kube_minor=${KUBE_MINOR:-37}   # a plain `go install` of helm 3 believes in Kubernetes 1.20
cache=${XDG_CACHE_HOME:-$HOME/.cache}/zhitui
out=$cache/helm-$version/helm
if [ -x "$out" ]; then echo "$out"; exit 0; fi

go=$("$(dirname "$(readlink -f "$0")")/go.sh")
work=$cache/helm-$version/src
mkdir -p "$work"
cd "$work"
export CGO_ENABLED=0
module=helm.sh/helm/v3
from=$("$go" mod download -json "$module@v$version" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
# A scratch module with the requirements of helm's own go.mod, so that the build is the released one.
{ echo "module scratch/helm"; grep -E '^(go|godebug) ' "$from/go.mod"; echo "require $module v$version"
  grep -E '^replace .* => [a-z].* v' "$from/go.mod" || true
  sed -n '/^require/,/^)/p' "$from/go.mod"; } > go.mod
cp "$from/go.sum" go.sum; chmod u+w go.sum
flags="-s -w -X $module/internal/version.version=v$version"
for package in pkg/chartutil pkg/lint/rules; do
  flags+=" -X $module/$package.k8sVersionMajor=1 -X $module/$package.k8sVersionMinor=$kube_minor"
done
"$go" build -mod=mod -trimpath -ldflags "$flags" -o "$out" "$module/cmd/helm" >&2
echo "$out"
