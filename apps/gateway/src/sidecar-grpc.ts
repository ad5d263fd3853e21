import { issueAnonymousToken } from '@caravan/contracts/identity'
import { invokedPath } from '@caravan/contracts/operation'
import { CommunicationProtocolEnum, DaprClient, HttpMethod, LogLevel } from '@dapr/dapr'
import type { IssuedToken } from './anonymous-token.ts'

const deadlineMs = 5000

/** The SDK's calls have no deadline of their own. */
const inTime = <T>(work: Promise<T>, what: string): Promise<T> =>
  Promise.race([
    work,
    new Promise<never>((_, reject) => {
      setTimeout(() => reject(new Error(`${what} did not answer`)), deadlineMs).unref()
    }),
  ])

/**
 * The sidecar by gRPC, for what the gateway does in its own name: the pipeline of the sidecar's HTTP port, which demands a
 * token, does not cover that port.
 */
export const createSidecarGrpc = (daprHost: string, port: number, daprApiToken: string) => {
  const client = new DaprClient({
    daprHost,
    daprPort: String(port),
    communicationProtocol: CommunicationProtocolEnum.GRPC,
    daprApiToken,
    logger: { level: LogLevel.Error },
  })

  const ask = async (): Promise<IssuedToken> => {
    const secret = await client.secret.get('secretstore', 'gateway-client-secret')
    const path = invokedPath(issueAnonymousToken).slice(1)
    const answer = await client.invoker.invoke(issueAnonymousToken.app, path, HttpMethod.POST, {
      clientSecret: (secret as Record<string, string>)['gateway-client-secret'],
    })
    return issueAnonymousToken.response?.parse(answer) as IssuedToken
  }

  const find = async (key: string): Promise<string | undefined> => {
    const { items } = await client.configuration.get('configstore', [key])
    return items[key]?.value
  }

  return {
    issueToken: (): Promise<IssuedToken> => inTime(ask(), 'identity'),
    /** An item of the configuration store; undefined where there is none. */
    configuration: (key: string): Promise<string | undefined> => inTime(find(key), 'the configuration store'),
    close: () => client.stop(),
  }
}
