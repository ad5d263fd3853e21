/** What an invoice says besides what was bought. */
export const words = {
  en: {
    ...{
      invoice: 'Invoice',
      'credit-note': 'Credit note',
      issued: 'Issued',
      order: 'Order',
      corrects: 'Corrects invoice',
    },
    ...{ reason: 'Reason', seller: 'Seller', buyer: 'Buyer', vatId: 'VAT id', registration: 'Registration' },
    ...{
      item: 'Item',
      quantity: 'Quantity',
      unitPrice: 'Unit price',
      rate: 'Tax',
      net: 'Net',
      gross: 'Gross',
      tax: 'Tax',
    },
    ...{
      withTax: 'with tax',
      withoutTax: 'without tax',
      total: 'Total',
      paid: 'Paid',
      refunded: 'Paid back',
      currency: 'Amounts in',
    },
    page: (page: number, pages: number) => `page ${page} of ${pages}`,
  },
  zh: {
    ...{
      invoice: '发票',
      'credit-note': '贷项通知单',
      issued: '开具日期',
      order: '订单',
      corrects: '更正发票',
    },
    ...{ reason: '原因', seller: '卖方', buyer: '买方', vatId: '增值税号', registration: '注册号' },
    ...{
      item: '商品',
      quantity: '数量',
      unitPrice: '单价',
      rate: '税率',
      net: '不含税金额',
      gross: '含税金额',
      tax: '税额',
    },
    ...{
      withTax: '含税',
      withoutTax: '不含税',
      total: '合计',
      paid: '已付',
      refunded: '已退',
      currency: '货币',
    },
    page: (page: number, pages: number) => `第 ${page} 页，共 ${pages} 页`,
  },
} as const
