/** Open answers of the model: order of requests, tasks and rings. */
import { defineOpen } from '../open-answer.ts';

/** See CONTRIBUTING.md, "An open answer". */
export const MODEL = defineOpen({
  'race.requests': [
    'timing',
    'Requests of one batch that no link orders act on the same thing, and one of them changes it.',
    'The first runs to its end before the second begins.',
    'A worker takes the first, and the second runs before it.',
  ],
  'race.aftermath': [
    'timing',
    'A thing after requests raced over it.',
    'The state that the one order leaves.',
    'The state that the other order leaves.',
  ],
  'skip.late': [
    'timing',
    'A thing after a request with IOSQE_CQE_SKIP_SUCCESS changed it: nobody waits for a CQE that does not come.',
    'The request ends before the next step.',
    'A worker has it, and the next step comes first.',
  ],
  'skip.cancelled': [
    'timing',
    'A request with IOSQE_CQE_SKIP_SUCCESS whose task ends, or executes a program: a CQE of its cancellation, or none.',
    'The request has ended well before that.',
    'A worker has it still: it is cancelled, which is no success.',
  ],
  'chain.uncertain': [
    'timing',
    'A request behind one of which it is open whether it fails.',
    'The one before it succeeds, and it runs.',
    'The one before it fails, and it is cancelled.',
  ],
  'drain.zero-copy': [
    'timing',
    'What a ring answers that may be stuck for the faulty drain of drained-send-stuck; of no other kernel.',
    'The drain has ended when the zero-copy send is submitted.',
    'It has not: the send is held back, and waits for its own notification for ever.',
  ],
  'drain.context': [
    'timing',
    'The IOSQE_ASYNC and IOSQE_IO_DRAIN that a filter sees of a request behind a drain.',
    'Everything before the drain has ended: the request goes the plain way.',
    'Something has not: the request is drained too, and goes to a worker.',
  ],
  'opcode.unknown': ['not-modelled', 'An opcode newer than this specification.'],
  'sqpoll.elsewhere': [
    'timing',
    'How many entries of another ring a call that fills no queue of it finds.',
    'The polling thread has taken what was there.',
    'It has not.',
  ],
  'defer.messages': [
    'timing',
    'A message to a ring with IORING_SETUP_DEFER_TASKRUN that another task than its own reaps.',
    "The ring's task has entered the kernel and posted it.",
    'It has not.',
  ],
  'register.raw-rules': [
    'not-modelled',
    'A register call that sets up rules out of bytes of the caller: steps of their own describe such calls. Nothing ' +
      'is said of later steps.',
  ],
  'register.write-back': ['not-modelled', 'What a register call beside the feature writes back to its argument.'],
  'register.fd': [
    'not-modelled',
    "A register call on a descriptor number that may be the runner's: -EBADF, or -EOPNOTSUPP for what is no ring.",
  ],
  'filter-reg.pointer': [
    'not-modelled',
    'A registration whose argument or program lies outside the arena. Nothing is said of later steps.',
  ],
  'task.number': [
    'timing',
    'The number of a new task: the next one that is free.',
    'A worker or another task is made before it.',
    'None is.',
    'number',
  ],
  'task.first-thread-ended': [
    'timing',
    'A descriptor taken from a process whose first thread has ended.',
    'The process is still found by its number.',
    'It is not.',
  ],
  'unshare.workers': [
    'timing',
    'unshare(CLONE_NEWUSER) of a process that had a polling thread.',
    'The thread is a member of the thread group: -EINVAL.',
    'It has ended.',
  ],
  'prep.drain': [
    'timing',
    'A thing touched by a request of which it is open whether it runs.',
    'It runs.',
    'It is denied.',
  ],
});
