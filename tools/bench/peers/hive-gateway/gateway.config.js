// Hive Gateway with the sharing of requests in flight switched off, towards clients and towards subgraphs.
import { defineConfig } from '@graphql-hive/gateway'

export const gatewayConfig = defineConfig({
  logging: 'warn',
  maskedErrors: false,
  healthCheckEndpoint: false,
  renderGraphiQL: false,
  inboundInflightRequestDeduplication: false,
  transportEntries: { '*.http': { options: { deduplicateInflightRequests: false } } },
})
