import type { Operation } from '@caravan/contracts/operation'
import type { Access } from './access-state.ts'
import type { Caller } from './authenticate.ts'

type Asked = Pick<Operation, 'id' | 'method' | 'path' | 'access' | 'privileged'>

interface Request {
  readonly params?: Readonly<Record<string, string>>
  readonly query: object
}

/** Whether a request asks for what only some may see. */
export const isPrivileged = ({ privileged }: Pick<Operation, 'privileged'>, query: object): boolean =>
  privileged !== undefined && privileged.query in query

/** The caller with the roles that count now. Throws 401, 403 or 503 unless it may use the operation as this request does. */
export const admit = (
  { authorise }: Access,
  operation: Asked,
  caller: Caller,
  { params, query }: Request,
): Caller => {
  const known = authorise(operation, caller, params)
  if (operation.privileged && isPrivileged(operation, query))
    authorise(operation.privileged.by, caller, params)
  return known
}
