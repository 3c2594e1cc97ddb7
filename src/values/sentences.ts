// Sentences that several rooms use, so that clients get the same text from each of them.

export const STOPPING = 'the service is stopping; retry to reach its successor';

/** The response to a defect. Its own message stays in the log. */
export const FAILED = 'internal error: the log of the service has the details; please report it';
