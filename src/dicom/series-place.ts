/** What an instance says of its series: its own place in it, and how many instances it will have. */
import type { Tags } from './dicom.ts'

/** InstanceNumber, or without one ImageIndex, if it is a whole number. */
export function indexInSeries(instance: Tags): number | null {
  return wholeNumber(instance.InstanceNumber ?? instance.ImageIndex)
}

/** The first of the three ways to say it that the series uses, if it comes to more than none. */
export function expectedInstances(series: Tags): number | null {
  const count =
    product(series.ImagesInAcquisition, series.NumberOfTemporalPositions) ??
    product(series.NumberOfSlices, series.NumberOfTimeSlices) ??
    wholeNumber(series.CardiacNumberOfImages)
  return count !== null && count > 0 && count <= largest ? count : null
}

function product(left: string | undefined, right: string | undefined): number | null {
  const factors = [wholeNumber(left), wholeNumber(right)] as const
  return factors[0] === null || factors[1] === null ? null : factors[0] * factors[1]
}

const largest = 2 ** 31 - 1

function wholeNumber(text: string | undefined): number | null {
  if (text === undefined || !/^ *[+-]?\d{1,10}$/.test(text)) return null
  const value = Number(text)
  return Math.abs(value) <= largest ? value : null
}
