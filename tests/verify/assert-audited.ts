import assert from 'node:assert/strict'
import { type AuditOptions, audit } from '../audit/audit.ts'

/** Throws with all that the audit finds wrong. */
export const assertAudited = async (options: AuditOptions): Promise<void> => {
  const findings = await audit(options)
  const wrong = findings.flatMap(({ check, violations }) => violations.map((what) => `${check}: ${what}`))
  assert.deepEqual(wrong, [])
}
