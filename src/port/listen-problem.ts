import { hostPort, type ListenAddress } from '../values/address.ts';

/** Why an address cannot be listened on, for the operator; undefined when the error is about something else. */
export function listenProblem(error: unknown, listen: ListenAddress, flag: string): string | undefined {
  const { code, syscall, message } = error as NodeJS.ErrnoException;
  // bind: that is how a worker has it.
  if (syscall !== 'listen' && syscall !== 'bind' && syscall !== 'getaddrinfo') return undefined;
  const cannot = `cannot listen on ${hostPort(listen)}`;
  switch (code) {
    case 'EADDRINUSE':
      return `${cannot}: another process does; stop it, or choose another address with ${flag}`;
    case 'EACCES':
      return `${cannot}: this user may not; choose a port of 1024 or more with ${flag}`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `${cannot}: this machine has no such address; choose another one with ${flag}`;
    default:
      return `${cannot}: ${message}`;
  }
}
