import { canInstall, install } from './apt.ts'
import { findProgram } from './programs.ts'

export const findNginx = () => {
  const nginx = findProgram('nginx')
  return nginx && findProgram('openssl') && nginx
}

/** The path of an nginx, with openssl beside it for certificates; installed with apt-get where that is allowed. Throws without. */
export const provideNginx = (log: (line: string) => void): string => {
  if (!findNginx() && canInstall()) install(['nginx-light', 'openssl'], log)
  const nginx = findNginx()
  if (!nginx) throw new Error('install nginx 1.20 or later, and openssl')
  return nginx
}
