import { expect, test } from 'vitest'
import { orthancIdentifiers } from '../../src/dicom/dicom.ts'

test('identifiers are those that Orthanc makes', () => {
  const series = '1.2.840.113619.2.176.2025.1499492.7391.1171285944'
  expect(
    orthancIdentifiers({
      patientId: 'ozp00SjY2xG',
      studyInstanceUid: `${series}.390`,
      seriesInstanceUid: `${series}.394`,
      sopInstanceUid: '1.2.840.113619.2.176.2025.1499492.7040.1171286242.109',
    }),
  ).toEqual({
    patient: '6816cb19-844d5aee-85245eba-28e841e6-2414fae2',
    study: 'b9c08539-26f93bde-c81ab0d7-bffaf2cb-a4d0bdd0',
    series: 'f2635388-f01d497a-15f7c06b-ad7dba06-c4c599fe',
    instance: '66a662ce-7430e543-bad44d47-0dc5a943-ec7a538d',
  })
})
