import { DurableObject, WorkerEntrypoint } from 'cloudflare:workers'
export class AccountGate extends DurableObject {}
export class SenderRpc extends WorkerEntrypoint {}
export default { async queue() {} }
