/** Opens the journal beside the database, with an error that says where it is. */
import { fault, messageOf } from '../../../errors.ts'
import { Journal, type JournalOptions } from './journal.ts'

/** @throws `data-folder` */
export function openJournal(options: JournalOptions): Journal {
  try {
    return new Journal(options)
  } catch (cause) {
    throw fault('data-folder', `Cannot open the journal in "${options.folder}": ${messageOf(cause)}`, {
      cause,
    })
  }
}
