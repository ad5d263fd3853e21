import { baseConfig, readConfig } from '@caravan/service-kit/config'

export const config = readConfig(baseConfig)
