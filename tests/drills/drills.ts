import { controlPlane, flushed, mysql, redis } from './backing.ts'
import { clock } from './clock.ts'
import { coupons } from './coupons.ts'
import { diskFull } from './disk-full.ts'
import { events } from './events.ts'
import { failpoints } from './failpoints.ts'
import type { Drill } from './field.ts'
import { kills } from './kills.ts'
import { network } from './network.ts'
import { outage } from './outage.ts'
import { provider } from './provider.ts'
import { restore } from './restore.ts'
import { rolling } from './rolling.ts'

/** In the order in which `all` does them. */
export const drills: readonly Drill[] = [
  ...[mysql, redis, flushed, controlPlane, network, provider, events],
  ...[clock, diskFull, restore, rolling, outage, failpoints, kills, coupons],
]
