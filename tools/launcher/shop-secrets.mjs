// The secrets of one shop, and the databases that they open. Plain JavaScript for whatever Node is installed:
// deploy/compose/generate-secrets.mjs needs it before there are packages.
import { generateKeyPairSync, randomBytes } from 'node:crypto'

/** @returns {string} 192 bits, of characters that mean nothing in a URL, a shell or SQL. */
export const randomSecret = () => randomBytes(24).toString('base64url')

/** @type {Record<string, () => string>} */
const generated = {
  'redis-password': randomSecret,
  'identity-signing-key': () =>
    generateKeyPairSync('rsa', { modulusLength: 2048 })
      .privateKey.export({ type: 'pkcs8', format: 'pem' })
      .toString(),
  'identity-token-secret': randomSecret,
  // The mail sandbox asks for none.
  'smtp-password': () => '',
  'oidc-client-secret': randomSecret,
  'gateway-client-secret': randomSecret,
  'psp-authorization': () => `Bearer sk_sandbox_${randomSecret()}`,
  'psp-webhook-secret': () => `whsec_${randomSecret()}`,
  // By Standard Webhooks: the key in base64.
  'carrier-webhook-secret': () => `whsec_${randomBytes(24).toString('base64')}`,
  'operator-email': () => 'operator@caravan.example',
  'operator-password': randomSecret,
  'shopper-email': () => 'shopper@caravan.example',
  'shopper-password': randomSecret,
}

/**
 * The secrets with all that is missing. What is there stays, but for the hosts of the databases, which may have moved.
 * @param {Readonly<Record<string, string>>} known
 * @param {Readonly<Record<string, string>>} hosts `host:port` of its database, by service
 * @returns {Record<string, string>}
 */
export const completeSecrets = (known, hosts) => {
  const secrets = { ...known }
  for (const [name, generate] of Object.entries(generated)) secrets[name] ??= generate()
  for (const [service, host] of Object.entries(hosts)) {
    const password = databasePassword(known, service) || randomSecret()
    secrets[`${service}-mysql`] = `mysql://${service}:${password}@${host}/${service}`
  }
  return secrets
}

/**
 * @param {Readonly<Record<string, string>>} secrets
 * @param {string} service
 * @returns {string} empty when the service has no database yet
 */
export const databasePassword = (secrets, service) => {
  const url = secrets[`${service}-mysql`]
  return url ? new URL(url).password : ''
}

/**
 * One database and one user for each service, who may touch nothing else. Running them again changes nothing but makes the
 * passwords those of `secrets`.
 * @param {Readonly<Record<string, string>>} secrets
 * @param {readonly string[]} services
 * @returns {string[]}
 */
export const databaseStatements = (secrets, services) =>
  services.flatMap((service) => {
    const user = `'${service}'@'%'`
    const password = `'${databasePassword(secrets, service).replace(/['\\]/g, '\\$&')}'`
    return [
      `CREATE DATABASE IF NOT EXISTS \`${service}\` CHARACTER SET utf8mb4`,
      `CREATE USER IF NOT EXISTS ${user} IDENTIFIED BY ${password}`,
      `ALTER USER ${user} IDENTIFIED BY ${password}`,
      `GRANT ALL PRIVILEGES ON \`${service}\`.* TO ${user}`,
    ]
  })
