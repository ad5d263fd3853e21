/** Whether another row with the key was faster. */
export const isDuplicate = (error: unknown): boolean => (error as { code?: unknown }).code === 'ER_DUP_ENTRY'
