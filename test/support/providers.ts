// The sending services that tests inside workerd talk to.
import { startMtaControl } from './real-mta.ts'
import { startSendGridEndpoint } from './sendgrid-endpoint.ts'
import { startSesEndpoint } from './ses-endpoint.ts'
import { startSesLocal } from './ses-local.ts'
import { startFaultControl } from './smtp-fault-control.ts'
import { testCertificates } from './trust.ts'

export async function startProviders() {
  const [faults, mta, ses, ses_local, sendgrid] = await Promise.all([
    startFaultControl(testCertificates()),
    startMtaControl(testCertificates()),
    startSesEndpoint(),
    startSesLocal(),
    startSendGridEndpoint(),
  ])
  return {
    urls: { faults: faults.url, mta: mta.url, ses: ses.url, ses_local: ses_local.url, sendgrid: sendgrid.url },
    async stop() {
      await Promise.all([faults.stop(), mta.stop(), ses.stop(), ses_local.stop(), sendgrid.stop()])
    },
  }
}
