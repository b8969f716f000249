#!/bin/sh
# Installs what is missing, once: `run` for starting (no development packages), `all` for tests and checks.
# Done again only when package-lock.json has changed. Quiet and quick the second time.
set -eu
want=${1:-all}
stamp=node_modules/.sluice-setup
lock=$(cksum <package-lock.json)
have=$(cat "$stamp" 2>/dev/null || true)
case "$have" in
  "all $lock") exit 0 ;;
  "run $lock") [ "$want" = run ] && exit 0 ;;
  # Whoever has run the tests here keeps what they need.
  all*) want=all ;;
esac
if [ "$want" = run ]; then what="the packages it runs on" omit=--omit=dev; else what="all packages" omit=--include=dev; fi
echo "sluice: installing $what, once …" >&2
# A half-done install must not look like a done one.
rm -f "$stamp"
npm ci "$omit" --ignore-scripts --no-audit --no-fund --loglevel=error >&2
printf '%s %s\n' "$want" "$lock" >"$stamp"
