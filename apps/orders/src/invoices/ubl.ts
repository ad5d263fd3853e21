import { decimalsOf } from '@caravan/contracts/price'
import XMLBuilder from 'fast-xml-builder'
import {
  contradiction,
  type Invoice,
  type InvoiceLine,
  netBeforeDiscounts,
  type Party,
  type Position,
  sum,
  type Tax,
  totalsOf,
} from './invoice.ts'
import { mostDecimals, ublFault } from './ubl-fault.ts'

// EN 16931-1 in UBL 2.1 (EN 16931-3-2). The terms BT and BG, and the rules BR, are those of the norm.

const builder = new XMLBuilder({
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  textNodeName: '#',
  format: true,
})

/** Why there is no tax, by code (VATEX), where the norm demands a reason. */
const exemptionCodes: Readonly<Partial<Record<Tax['category'], string>>> = {
  G: 'VATEX-EU-G',
  O: 'VATEX-EU-O',
}

/** 1250, 2 decimals: 12.50 */
const decimal = (minor: number, digits: number): string => {
  const text = String(minor).padStart(digits + 1, '0')
  return digits === 0 ? text : `${text.slice(0, -digits)}.${text.slice(-digits)}`
}

const taxScheme = { 'cac:TaxScheme': { 'cbc:ID': 'VAT' } }

/** BG-30 and its like. What is outside of VAT has no rate (BR-O-05). */
const taxCategory = ({ category, ratePpm }: Tax) => ({
  'cbc:ID': category,
  ...(category === 'O' ? {} : { 'cbc:Percent': String(ratePpm / 10_000) }),
  ...taxScheme,
})

/** The same with the reason why nothing is taxed, in the breakdown. */
const explained = (rate: Tax) => {
  const { 'cac:TaxScheme': scheme, ...category } = taxCategory(rate)
  const code = exemptionCodes[rate.category]
  return {
    ...category,
    ...(code ? { 'cbc:TaxExemptionReasonCode': code } : {}),
    ...('EGO'.includes(rate.category) ? { 'cbc:TaxExemptionReason': rate.name } : {}),
    'cac:TaxScheme': scheme,
  }
}

/** BG-4 and BG-7, with their addresses. `isVat`: ids for VAT may not be told of what is outside of it (BR-O-02). */
const party = ({ name, company, email, vatId, registration, ...address }: Party, isVat: boolean) => ({
  ...(email ? { 'cbc:EndpointID': { '@schemeID': 'EM', '#': email } } : {}),
  'cac:PostalAddress': {
    'cbc:StreetName': address.line1,
    ...(address.line2 ? { 'cbc:AdditionalStreetName': address.line2 } : {}),
    ...(address.city ? { 'cbc:CityName': address.city } : {}),
    ...(address.postalCode ? { 'cbc:PostalZone': address.postalCode } : {}),
    ...(address.region ? { 'cbc:CountrySubentity': address.region } : {}),
    'cac:Country': { 'cbc:IdentificationCode': address.country },
  },
  ...(vatId && isVat ? { 'cac:PartyTaxScheme': { 'cbc:CompanyID': vatId, ...taxScheme } } : {}),
  'cac:PartyLegalEntity': {
    'cbc:RegistrationName': company || name,
    ...(registration ? { 'cbc:CompanyID': registration } : {}),
  },
  ...(company ? { 'cac:Contact': { 'cbc:Name': name } } : {}),
})

/** A document has a line (BR-16): where delivery alone is paid back, it is that line. */
const withALine = ({ lines, delivery }: Invoice): Pick<Invoice, 'lines' | 'delivery'> => {
  if (lines.length > 0 || !delivery) return { lines, ...(delivery ? { delivery } : {}) }
  return { lines: [{ ...delivery, sku: '', title: delivery.name, quantity: 1 }] }
}

/**
 * The invoice or credit note in XML. Throws where its amounts contradict one another, or `ublFault` says why the norm has no form for it.
 */
export const ublOf = (invoice: Invoice): string => {
  const fault = contradiction(invoice) ?? ublFault(invoice)
  if (fault) throw new Error(`${invoice.number} cannot be told in UBL: ${fault}`)
  const { currency } = invoice
  const { lines, delivery } = withALine(invoice)
  const digits = decimalsOf(currency)
  const written = Math.min(digits, mostDecimals)
  const amount = (minor: number) => ({
    '@currencyID': currency,
    '#': decimal(minor / 10 ** (digits - written), written),
  })
  const totals = totalsOf(invoice)
  const isVat = totals.taxes.every(({ rate }) => rate.category !== 'O')
  const what = invoice.kind === 'invoice' ? 'Invoice' : 'CreditNote'

  const allowanceCharge = (isCharge: boolean, reason: string, minor: number, rate?: Tax) => ({
    'cbc:ChargeIndicator': String(isCharge),
    'cbc:AllowanceChargeReason': reason,
    'cbc:Amount': amount(minor),
    ...(rate ? { 'cac:TaxCategory': taxCategory(rate) } : {}),
  })
  const allowance = (position: Position, rate?: Tax) => {
    const minor = netBeforeDiscounts(position, invoice) - position.net
    if (minor === 0) return []
    return [allowanceCharge(false, position.discounts.map(({ name }) => name).join(', '), minor, rate)]
  }

  /** BG-25. A price that is not a whole number of minor units for one is told for all of the line (BT-149). */
  const line = (each: InvoiceLine, index: number) => {
    const price = netBeforeDiscounts(each, invoice)
    const isWhole = price % each.quantity === 0
    const quantity = { '@unitCode': 'C62', '#': String(each.quantity) }
    return {
      'cbc:ID': String(index + 1),
      [what === 'Invoice' ? 'cbc:InvoicedQuantity' : 'cbc:CreditedQuantity']: quantity,
      'cbc:LineExtensionAmount': amount(each.net),
      'cac:AllowanceCharge': allowance(each),
      'cac:Item': {
        'cbc:Name': each.title,
        ...(each.sku ? { 'cac:SellersItemIdentification': { 'cbc:ID': each.sku } } : {}),
        'cac:ClassifiedTaxCategory': taxCategory(each.rate),
      },
      'cac:Price': {
        'cbc:PriceAmount': {
          '@currencyID': currency,
          '#': decimal(isWhole ? price / each.quantity : price, digits),
        },
        ...(isWhole ? {} : { 'cbc:BaseQuantity': quantity }),
      },
    }
  }

  const charged = delivery ? netBeforeDiscounts(delivery, invoice) : 0
  const allowed = delivery ? charged - delivery.net : 0
  return builder.build({
    '?xml': { '@version': '1.0', '@encoding': 'UTF-8' },
    [what]: {
      '@xmlns': `urn:oasis:names:specification:ubl:schema:xsd:${what}-2`,
      '@xmlns:cac': 'urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2',
      '@xmlns:cbc': 'urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2',
      'cbc:CustomizationID': 'urn:cen.eu:en16931:2017',
      'cbc:ID': invoice.number,
      'cbc:IssueDate': invoice.issuedOn,
      [`cbc:${what}TypeCode`]: what === 'Invoice' ? '380' : '381',
      ...(invoice.reason ? { 'cbc:Note': invoice.reason } : {}),
      'cbc:DocumentCurrencyCode': currency,
      'cac:OrderReference': { 'cbc:ID': invoice.order },
      ...(invoice.corrects
        ? {
            'cac:BillingReference': {
              'cac:InvoiceDocumentReference': {
                'cbc:ID': invoice.corrects.number,
                'cbc:IssueDate': invoice.corrects.issuedOn,
              },
            },
          }
        : {}),
      'cac:AccountingSupplierParty': { 'cac:Party': party(invoice.seller, isVat) },
      'cac:AccountingCustomerParty': { 'cac:Party': party(invoice.buyer, isVat) },
      ...(invoice.payment ? { 'cac:PaymentTerms': { 'cbc:Note': invoice.payment } } : {}),
      'cac:AllowanceCharge': delivery
        ? [
            allowanceCharge(true, delivery.name, charged, delivery.rate),
            ...allowance(delivery, delivery.rate),
          ]
        : [],
      'cac:TaxTotal': {
        'cbc:TaxAmount': amount(totals.tax),
        'cac:TaxSubtotal': totals.taxes.map(({ rate, net, tax }) => ({
          'cbc:TaxableAmount': amount(net),
          'cbc:TaxAmount': amount(tax),
          'cac:TaxCategory': explained(rate),
        })),
      },
      'cac:LegalMonetaryTotal': {
        'cbc:LineExtensionAmount': amount(sum(lines.map(({ net }) => net))),
        'cbc:TaxExclusiveAmount': amount(totals.net),
        'cbc:TaxInclusiveAmount': amount(totals.gross),
        ...(allowed > 0 ? { 'cbc:AllowanceTotalAmount': amount(allowed) } : {}),
        ...(delivery ? { 'cbc:ChargeTotalAmount': amount(charged) } : {}),
        'cbc:PrepaidAmount': amount(totals.gross),
        'cbc:PayableAmount': amount(0),
      },
      [`cac:${what}Line`]: lines.map(line),
    },
  })
}
