/** The main DICOM tags: those of each level that the index keeps (Orthanc's default list, under its names). */
import type { Level } from './dicom.ts'

const patient = {
  PatientName: 0x00100010,
  PatientBirthDate: 0x00100030,
  PatientSex: 0x00100040,
  OtherPatientIDs: 0x00101000,
  PatientID: 0x00100020,
}

const study = {
  StudyDate: 0x00080020,
  StudyTime: 0x00080030,
  StudyID: 0x00200010,
  StudyDescription: 0x00081030,
  AccessionNumber: 0x00080050,
  StudyInstanceUID: 0x0020000d,
  RequestedProcedureDescription: 0x00321060,
  InstitutionName: 0x00080080,
  RequestingPhysician: 0x00321032,
  ReferringPhysicianName: 0x00080090,
}

const series = {
  SeriesDate: 0x00080021,
  SeriesTime: 0x00080031,
  Modality: 0x00080060,
  Manufacturer: 0x00080070,
  StationName: 0x00081010,
  SeriesDescription: 0x0008103e,
  BodyPartExamined: 0x00180015,
  SequenceName: 0x00180024,
  ProtocolName: 0x00181030,
  SeriesNumber: 0x00200011,
  CardiacNumberOfImages: 0x00181090,
  ImagesInAcquisition: 0x00201002,
  NumberOfTemporalPositions: 0x00200105,
  NumberOfSlices: 0x00540081,
  NumberOfTimeSlices: 0x00540101,
  SeriesInstanceUID: 0x0020000e,
  ImageOrientationPatient: 0x00200037,
  SeriesType: 0x00541000,
  OperatorsName: 0x00081070,
  PerformedProcedureStepDescription: 0x00400254,
  AcquisitionDeviceProcessingDescription: 0x00181400,
  ContrastBolusAgent: 0x00180010,
}

const instance = {
  InstanceCreationDate: 0x00080012,
  InstanceCreationTime: 0x00080013,
  AcquisitionNumber: 0x00200012,
  ImageIndex: 0x00541330,
  InstanceNumber: 0x00200013,
  NumberOfFrames: 0x00280008,
  TemporalPositionIdentifier: 0x00200100,
  SOPInstanceUID: 0x00080018,
  ImagePositionPatient: 0x00200032,
  ImageComments: 0x00204000,
  ImageOrientationPatient: 0x00200037,
}

/** Tags that are read besides, under the names by which the reader asks for them. */
export const specificCharacterSet = 0x00080005
export const sopClassUid = 0x00080016

const byLevel: readonly (readonly [Level, Readonly<Record<string, number>>])[] = [
  ['Patient', patient],
  ['Study', study],
  ['Series', series],
  ['Instance', instance],
]

export interface MainTag {
  readonly keyword: string
  /** One tag may belong to two levels. */
  readonly levels: readonly Level[]
}

/** Every main tag by its number. */
export const mainTags: ReadonlyMap<number, MainTag> = new Map(
  byLevel
    .flatMap(([, tags]) => Object.entries(tags))
    .map(([keyword, tag]) => [
      tag,
      { keyword, levels: byLevel.filter(([, tags]) => keyword in tags).map(([level]) => level) },
    ]),
)

/** Those that are binary numbers where the VR is not written down. */
export const unsignedShortTags: ReadonlySet<number> = new Set([
  series.NumberOfSlices,
  series.NumberOfTimeSlices,
  instance.ImageIndex,
])
