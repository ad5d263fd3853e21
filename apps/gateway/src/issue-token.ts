import { issueAnonymousToken } from '@caravan/contracts/identity'
import { CommunicationProtocolEnum, DaprClient, HttpMethod, LogLevel } from '@dapr/dapr'
import type { IssuedToken } from './anonymous-token.ts'

const deadlineMs = 5000

/**
 * Asks identity for an anonymous token over gRPC: the pipeline of the sidecar's HTTP port, which demands the very token,
 * does not cover that port.
 */
export const createTokenIssuer = (port: number, daprApiToken: string) => {
  const client = new DaprClient({
    daprHost: '127.0.0.1',
    daprPort: String(port),
    communicationProtocol: CommunicationProtocolEnum.GRPC,
    daprApiToken,
    logger: { level: LogLevel.Error },
  })

  const ask = async (): Promise<IssuedToken> => {
    const secret = await client.secret.get('secretstore', 'gateway-client-secret')
    const { app, path } = issueAnonymousToken
    const answer = await client.invoker.invoke(app, path.slice(1), HttpMethod.POST, {
      clientSecret: (secret as Record<string, string>)['gateway-client-secret'],
    })
    return issueAnonymousToken.response?.parse(answer) as IssuedToken
  }

  return {
    // The SDK's calls have no deadline of their own.
    issue: (): Promise<IssuedToken> =>
      Promise.race([
        ask(),
        new Promise<never>((_, reject) => {
          setTimeout(() => reject(new Error('identity did not answer')), deadlineMs).unref()
        }),
      ]),
    close: () => client.stop(),
  }
}
