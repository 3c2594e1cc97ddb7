import { Code } from '@connectrpc/connect';

const CODES: readonly Code[] = Object.values(Code).filter((code) => typeof code === 'number');

/** Returns the code with this number. */
export function codeOf(number: number): Code {
  const code = CODES.find((each: number) => each === number);
  if (code === undefined) throw new RangeError(`no code has the number ${number}`);
  return code;
}
