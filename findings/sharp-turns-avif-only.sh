#!/usr/bin/env bash
# sharp 0.35.5 (npm)
# Guess: without `autoOrient()` a photo with EXIF orientation 6 is turned in no output format, or in each.
# Behaviour: as JPEG, WebP and PNG it stays 40 x 20 and lies on its side; as AVIF it comes out turned, 20 x 40.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --loglevel=error --no-audit --no-fund --no-package-lock --prefix . sharp@0.35.5 > npm.log 2>&1 || { cat npm.log; exit 1; }
cat > probe.mjs << 'PROBE'
import sharp from 'sharp'
const plain = sharp({ create: { width: 40, height: 20, channels: 3, background: 'red' } })
const photo = await plain.withMetadata({ orientation: 6 }).jpeg().toBuffer()
for (const format of ['jpeg', 'webp', 'png', 'avif']) {
  const { width, height } = await sharp(await sharp(photo).toFormat(format).toBuffer()).metadata()
  console.log(format, width, height)
}
PROBE
node probe.mjs | tee seen
diff seen - << 'SEEN'
jpeg 40 20
webp 40 20
png 40 20
avif 20 40
SEEN
