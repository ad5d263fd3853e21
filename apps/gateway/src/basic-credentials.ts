import { decodeText } from '@caravan/service-kit/decode-text'

/**
 * A form with the credentials of an `Authorization: Basic` header (RFC 6749, 2.3.1: each is form-encoded inside of it). The
 * sidecar lets no other scheme than Bearer pass, so they go on in the body, which is where identity looks for them. Throws 400 for
 * what is not UTF-8.
 */
export const withBasicCredentials = (form: Buffer, authorization: string | undefined): Buffer => {
  const encoded = /^Basic ([\w+/]+=*)$/i.exec(authorization ?? '')?.[1]
  if (!encoded) return form
  const [id = '', ...secret] = decodeText(Buffer.from(encoded, 'base64')).split(':')
  const prefix = form.length > 0 ? '&' : ''
  const added = `${prefix}client_id=${id}&client_secret=${secret.join('%3A')}`
  return Buffer.concat([form, Buffer.from(added)])
}
