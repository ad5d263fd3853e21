import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import type { Operation } from '@caravan/contracts/operation'
import { openApi } from '@caravan/service-kit/openapi'
import { etagOf } from '@caravan/service-kit/precondition'
import type { Answer } from './answer.ts'

const own = new URL('../docs/', import.meta.url)
const swagger = createRequire(import.meta.url).resolve('swagger-ui-dist/package.json')
const types = { html: 'text/html', js: 'text/javascript', css: 'text/css', png: 'image/png' } as const

const policy = [
  "default-src 'none'",
  ...["script-src 'self'", "style-src 'self'", "img-src 'self' data:", "connect-src 'self'"],
  ...["base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"],
].join('; ')

const file = async (from: string | URL, name: string): Promise<Answer> => {
  const body = await readFile(new URL(name, from))
  const type = types[name.split('.').at(-1) as keyof typeof types]
  return {
    status: 200,
    headers: {
      'Content-Type': `${type}; charset=utf-8`,
      'Content-Security-Policy': policy,
      'Cache-Control': 'public, max-age=0, must-revalidate',
      ETag: etagOf(body),
    },
    body,
  }
}

/** The API's description, and a page that shows it: all the files of it by their paths. No script stands inside a page. */
export const createDocuments = async (version: string, operations: readonly Operation[]) => {
  const description = Buffer.from(JSON.stringify(openApi('Caravan', version, operations)))
  const theirs = new URL(`file://${swagger}`)
  return new Map<string, Answer>([
    [
      '/openapi.json',
      {
        status: 200,
        headers: {
          'Content-Type': 'application/json; charset=utf-8',
          'Cache-Control': 'public, max-age=0, must-revalidate',
          ETag: etagOf(description),
        },
        body: description,
      },
    ],
    ['/docs', await file(own, 'index.html')],
    ['/docs/start.js', await file(own, 'start.js')],
    ['/docs/swagger-ui.css', await file(theirs, 'swagger-ui.css')],
    ['/docs/swagger-ui-bundle.js', await file(theirs, 'swagger-ui-bundle.js')],
    ['/docs/favicon-32x32.png', await file(theirs, 'favicon-32x32.png')],
  ])
}
