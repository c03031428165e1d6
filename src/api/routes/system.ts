/** What the server is, and how much it holds. */
import type { FastifyInstance } from 'fastify'
import { packageVersion } from '../../lib/version.ts'
import type { ApiParts } from '../api.ts'
import { endpoint } from '../endpoint.ts'
import { sizes } from './resource-statistics.ts'

/** The generation of Orthanc's REST API that these routes speak. */
const apiVersion = 16

export function systemRoutes(app: FastifyInstance, { settings, store }: ApiParts): void {
  const version = packageVersion()
  endpoint(app, '/system', {
    GET: () => ({
      ApiVersion: apiVersion,
      Capabilities: {
        HasExtendedChanges: true,
        HasExtendedFind: false,
        HasKeyValueStores: false,
        HasQueues: false,
      },
      CheckRevisions: false,
      DatabaseBackendPlugin: null,
      DatabaseServerIdentifier: store.epoch,
      DatabaseVersion: 6,
      DicomAet: settings.dicomAet,
      DicomPort: settings.dicomPort,
      HasLabels: false,
      HttpPort: settings.httpPort,
      IsHttpServerSecure: true,
      Name: settings.name,
      OverwriteInstances: settings.overwriteInstances !== 'Never',
      OverwriteInstancesMode: settings.overwriteInstances,
      PluginsEnabled: false,
      ReadOnly: false,
      StorageAreaPlugin: null,
      Version: version,
    }),
  })

  endpoint(app, '/statistics', {
    GET: async () => {
      const { patients, studies, series, instances, totalBytes } = await store.statistics()
      return {
        CountInstances: instances,
        CountPatients: patients,
        CountSeries: series,
        CountStudies: studies,
        ...sizes('TotalDisk', totalBytes),
        ...sizes('TotalUncompressed', totalBytes),
      }
    },
  })
}
