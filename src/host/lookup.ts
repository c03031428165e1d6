/**
 * Name resolution for requests of scripts. A granted name must not lead to the addresses under which clouds hand
 * their machines secrets; whoever wants those grants the address itself.
 */
import { lookup } from 'node:dns'
import { BlockList, type LookupFunction } from 'node:net'

const refused = new BlockList()
refused.addSubnet('0.0.0.0', 8, 'ipv4')
refused.addSubnet('169.254.0.0', 16, 'ipv4')
refused.addSubnet('fe80::', 10, 'ipv6')
refused.addAddress('100.100.100.200', 'ipv4')
refused.addAddress('fd00:ec2::254', 'ipv6')

/** Whether a name may stand for this address. */
export function isAllowedAddress(address: string, family: number): boolean {
  return !refused.check(address, family === 6 ? 'ipv6' : 'ipv4')
}

/** As `dns.lookup`, but fails for a name of which any address is refused. */
export const lookupAllowed: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error !== null) return callback(error, '')
    const bad = addresses.find(({ address, family }) => !isAllowedAddress(address, family))
    if (bad !== undefined) {
      const reason = `"${hostname}" stands for ${bad.address}, which only a grant of that address allows`
      return callback(new Error(reason), '')
    }
    const [first] = addresses
    if (options.all === true || first === undefined) callback(null, addresses)
    else callback(null, first.address, first.family)
  })
}
