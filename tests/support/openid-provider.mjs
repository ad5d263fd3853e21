import Provider from 'oidc-provider'

// A real OpenID provider with accounts for whoever signs in: <name> has the address <name>@example.com, which is confirmed unless
// the name begins with "unconfirmed". Its own development pages ask for login and consent.

const { PORT, CLIENT_SECRET, REDIRECT_URI } = process.env

const provider = new Provider(`http://127.0.0.1:${PORT}`, {
  clients: [{ client_id: 'caravan', client_secret: CLIENT_SECRET, redirect_uris: [REDIRECT_URI] }],
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
  findAccount: (_, sub) => ({
    accountId: sub,
    claims: () => ({
      ...{ sub, email: `${sub}@example.com`, name: `The person ${sub}` },
      email_verified: !sub.startsWith('unconfirmed'),
    }),
  }),
})
provider.listen(Number(PORT), '127.0.0.1')
