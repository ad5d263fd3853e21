import { startFakeSidecar } from './testing/fake-sidecar.ts'
import { app, conformance, conformanceApp, items, secrets, token } from './testing/sidecar-conformance.ts'

conformance('the fake', async () => {
  const fake = await startFakeSidecar({ app, token, secrets, items })
  fake.serve(app, conformanceApp().listener)
  return { port: fake.port, received: () => fake.published.map(({ event }) => event), stop: fake.stop }
})
