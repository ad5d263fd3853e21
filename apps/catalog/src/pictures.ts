import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { pictureFile } from '@caravan/contracts/catalog'
import { invokedPath } from '@caravan/contracts/operation'
import { decodeQuery } from '@caravan/service-kit/decode-text'
import type { Parts } from '@caravan/service-kit/run-service'

/**
 * Serves a folder of SVG files, which are read once. An SVG may hold scripts, so it is sent with a policy under which none
 * runs even when it is opened as a page.
 */
export const createPictures = async (folder: URL) => {
  const names = (await readdir(folder)).filter((name) => /^[a-z0-9-]+\.svg$/.test(name))
  const pictures = new Map(
    await Promise.all(
      names.map(async (name) => {
        const bytes = await readFile(new URL(name, folder))
        return [name, { bytes, etag: `"${createHash('sha256').update(bytes).digest('base64url')}"` }] as const
      }),
    ),
  )
  const serve: NonNullable<Parts['files']> = (router) => {
    router.get(invokedPath(pictureFile), (ctx) => {
      const picture = pictures.get(String(decodeQuery(ctx.querystring).file))
      if (!picture) return
      ctx.set({
        ETag: picture.etag,
        'Cache-Control': 'public, max-age=3600',
        'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'; sandbox",
        'X-Content-Type-Options': 'nosniff',
      })
      ctx.type = 'image/svg+xml'
      ctx.body = picture.bytes
      if (ctx.fresh) ctx.status = 304
    })
  }

  return { names: new Set(names), serve }
}
