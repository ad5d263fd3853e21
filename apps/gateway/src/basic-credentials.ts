/**
 * A form with the credentials of an `Authorization: Basic` header (RFC 6749, 2.3.1: each is form-encoded inside of it). The
 * sidecar lets no other scheme than Bearer pass, so they go on in the body, which is where identity looks for them.
 */
export const withBasicCredentials = (form: Buffer, authorization: string | undefined): Buffer => {
  const encoded = /^Basic ([\w+/]+=*)$/i.exec(authorization ?? '')?.[1]
  if (!encoded) return form
  const [id = '', ...secret] = Buffer.from(encoded, 'base64').toString('utf8').split(':')
  const prefix = form.length > 0 ? '&' : ''
  return Buffer.from(`${form}${prefix}client_id=${id}&client_secret=${secret.join('%3A')}`)
}
