// Sentences that several rooms answer with, so that a client reads the same whichever of them it met.

export const STOPPING = 'the service is stopping; call again to reach its successor';

/** The answer to a defect, whose own words stay in the log. */
export const FAILED = 'the service failed to answer; its log says why, please report it';
