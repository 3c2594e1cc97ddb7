import { hostPort, type ListenAddress } from '../values/address.ts';

/**
 * Returns why an address cannot be listened on, for the operator. Undefined if the error has another cause.
 */
export function listenProblem(error: unknown, listen: ListenAddress, flag: string): string | undefined {
  const { code, syscall, message } = error as NodeJS.ErrnoException;
  // Workers get the error from bind.
  if (syscall !== 'listen' && syscall !== 'bind' && syscall !== 'getaddrinfo') return undefined;
  const cannot = `cannot listen on ${hostPort(listen)}`;
  switch (code) {
    case 'EADDRINUSE':
      return `${cannot}: the address is already in use; stop the other process, or choose another address with ${flag}`;
    case 'EACCES':
      return `${cannot}: permission denied; choose a port of 1024 or more with ${flag}`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `${cannot}: this machine does not have that address; choose another one with ${flag}`;
    default:
      return `${cannot}: ${message}`;
  }
}
