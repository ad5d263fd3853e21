import { startRealSidecar } from './testing/real-sidecar.ts'
import { app, conformance, conformanceApp, items, secrets, token } from './testing/sidecar-conformance.ts'

conformance('daprd with Redis', async () => {
  const { listener, received } = conformanceApp()
  const real = await startRealSidecar({ app, token, listener, secrets, items })
  return { port: real.port, received: () => received, stop: real.stop }
})
