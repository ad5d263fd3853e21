import type { IncomingMessage, ServerResponse } from 'node:http'
import helmet, { type HelmetOptions } from 'helmet'

const headersOf = (options: HelmetOptions): Readonly<Record<string, string>> => {
  const headers: Record<string, string> = {}
  const response = {
    setHeader: (name: string, value: string) => {
      headers[name] = value
    },
    removeHeader: () => undefined,
  }
  // No header of these depends on the request: they are made once.
  helmet(options)({} as IncomingMessage, response as unknown as ServerResponse, () => undefined)
  return Object.freeze(headers)
}

const options = {
  contentSecurityPolicy: {
    useDefaults: false,
    directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
  },
  frameguard: { action: 'deny' },
  // For pages with links or agents of their own, for Internet Explorer, for Flash: nothing that an API has.
  originAgentCluster: false,
  xDnsPrefetchControl: false,
  xDownloadOptions: false,
  xPermittedCrossDomainPolicies: false,
  xXssProtection: false,
} as const satisfies HelmetOptions

/** On every answer, which is not to be stored unless it says otherwise. A page that needs more sets its own policy. */
export const securityHeaders = {
  overHttp: { ...headersOf({ ...options, strictTransportSecurity: false }), 'Cache-Control': 'no-store' },
  overHttps: { ...headersOf(options), 'Cache-Control': 'no-store' },
} as const
