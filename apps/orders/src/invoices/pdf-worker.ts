import { serveCalls } from '@caravan/service-kit/in-worker'
import { pdfOf } from './pdf.ts'

serveCalls(pdfOf)
