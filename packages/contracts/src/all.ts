import { accessEvents, accessOperations } from './access.ts'
import { auditEvents } from './audit.ts'
import { cartsOperations } from './carts.ts'
import { catalogEvents, catalogOperations } from './catalog.ts'
import { codesOperations } from './codes.ts'
import { consumers, deadLetterOperations } from './dead-letters.ts'
import type { EventDefinition } from './event.ts'
import { fulfilmentEvents, fulfilmentOperations } from './fulfilment.ts'
import { identityEvents, identityOperations } from './identity.ts'
import { inventoryEvents, inventoryOperations } from './inventory.ts'
import { invoiceOperations } from './invoices.ts'
import type { Operation } from './operation.ts'
import { ordersEvents, ordersOperations } from './orders.ts'
import { paymentsEvents, paymentsOperations } from './payments.ts'
import { promotionsEvents, promotionsOperations } from './promotions.ts'
import { redemptionsOperations } from './redemptions.ts'
import { returnOperations } from './returns.ts'
import { salesOperations } from './sales.ts'
import { staffOrdersOperations } from './staff-orders.ts'

/** Every operation of every app: the gateway's routing table and the published OpenAPI come from it. */
export const operations: readonly Operation[] = [
  ...identityOperations,
  ...accessOperations,
  ...catalogOperations,
  ...inventoryOperations,
  ...cartsOperations,
  ...ordersOperations,
  ...fulfilmentOperations,
  ...invoiceOperations,
  ...returnOperations,
  ...staffOrdersOperations,
  ...salesOperations,
  ...paymentsOperations,
  ...promotionsOperations,
  ...codesOperations,
  ...redemptionsOperations,
  ...consumers.flatMap((app) => Object.values(deadLetterOperations(app))),
] as readonly Operation[]

export const events: readonly EventDefinition[] = [
  ...accessEvents,
  ...catalogEvents,
  ...identityEvents,
  ...auditEvents,
  ...inventoryEvents,
  ...ordersEvents,
  ...fulfilmentEvents,
  ...paymentsEvents,
  ...promotionsEvents,
] as unknown as readonly EventDefinition[]
