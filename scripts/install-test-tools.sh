#!/bin/sh
# Installs what tests use and npm cannot bring, only where it is missing: `install-test-tools.sh chromium …`.
# On Debian as root it installs them itself; elsewhere it says what to install. `python-sdks` are the packages of
# python-sdks.txt, in a folder of their own: what needs them says that it is absent where they cannot be installed.
set -eu
cache=$(dirname "$0")/../.cache

has() {
  case "$1" in
    chromium) command -v chromium || command -v chromium-browser || command -v google-chrome ;;
    postgresql) command -v postgres || ls /usr/lib/postgresql/*/bin/postgres ;;
    promtool) command -v promtool || [ -x "$cache/promtool" ] ;;
    *) command -v "$1" || command -v "/usr/sbin/$1" ;;
  esac >/dev/null 2>&1
}

# Its package would also start a server: the program alone is taken out of it.
take_promtool() {
  folder=$(mktemp -d)
  chmod 755 "$folder"
  (cd "$folder" && apt-get download prometheus && dpkg-deb -x prometheus_*.deb .) &&
    mkdir -p "$cache" && cp "$folder/usr/bin/promtool" "$cache/promtool"
  status=$?
  rm -rf "$folder"
  return $status
}

python_sdks() {
  list=$(dirname "$0")/python-sdks.txt
  [ "$(cat "$list")" = "$(cat "$cache"/python/installed.txt 2>/dev/null)" ] && return
  echo "sluice: installing the Python packages of $list for the tests, once …" >&2
  rm -rf "$cache"/python
  mkdir -p "$cache"
  { python3 -m venv "$cache"/python &&
    "$cache"/python/bin/pip install --quiet --disable-pip-version-check --requirement "$list"; } >&2 || {
    echo "sluice: could not install them (python3 with its venv module, and PyPI, are needed)" >&2
    rm -rf "$cache"/python
    return
  }
  cp "$list" "$cache"/python/installed.txt
}

missing=
for tool in "$@"; do
  if [ "$tool" = python-sdks ]; then python_sdks; else has "$tool" || missing="$missing $tool"; fi
done
[ -z "$missing" ] && exit 0

if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
  echo "sluice: the tests need$missing. On Debian or Ubuntu: sudo sh scripts/install-test-tools.sh$missing" >&2
  exit 1
fi
echo "sluice: installing$missing for the tests, once …" >&2
log=$(mktemp)
trap 'rm -f "$log" $policy' EXIT
export DEBIAN_FRONTEND=noninteractive
# A server among the tools is for the tests to start, not for the machine.
policy=/usr/sbin/policy-rc.d
if [ -e "$policy" ]; then policy=; else printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod +x "$policy"; fi
packages=
for tool in $missing; do [ "$tool" = promtool ] || packages="$packages $tool"; done
{
  apt-get update &&
    { [ -z "$packages" ] || apt-get install -y --no-install-recommends $packages; } &&
    case "$missing" in *promtool*) take_promtool ;; esac
} >"$log" 2>&1 || {
  tail -n 20 "$log" >&2
  echo "sluice: could not install$missing. Try: apt-get install$missing" >&2
  exit 1
}
