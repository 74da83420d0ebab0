#!/bin/sh
# Takes the picture of a report that the README shows.
#   docs/picture.sh RUN/report.html docs/report.png [WIDTH] [HEIGHT]
# Needs chromium. The picture is to stay under 200 kB: shorten HEIGHT if it does not.
set -eu
page=$(realpath "$1")
picture=$(realpath -m "$2")
chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --force-device-scale-factor=1 \
  --window-size="${3:-1100},${4:-1400}" --screenshot="$picture" "file://$page" 2>/dev/null
size=$(wc -c <"$picture")
echo "$picture: $size bytes"
[ "$size" -lt 200000 ]
