import type { DiscoveryClient } from '../client/discovery-client.ts';
import type { OperatorClient } from '../client/operator-client.ts';
import type { Work } from '../work.ts';
import { ASSET_FOLDER, type Assets } from './assets.ts';
import type { ErrorPage } from './error-page.ts';
import type { PageRequest } from './reply.ts';
import type { SharedPages } from './shared-pages.ts';

export interface PageOptions {
  /** Returns the URL by which the reader can reach the service, without a trailing slash. */
  readonly urlFor: (request: PageRequest) => string;
  readonly version: string;
  /** Returns the client for operators' calls, which acts for the sender of the request. */
  readonly operatorOf: (request: PageRequest) => OperatorClient;
  /** The allowed lifetimes of tokens, in ms. */
  readonly lifetimes: Lifetimes;
  /** Whether every call requires credentials, for which browsers then ask by themselves. */
  readonly needsCredentials?: boolean;
  /** Returns the work budget to which a page is charged. */
  readonly workOf?: (request: PageRequest) => Work;
  /** Called for unexpected errors. Their readers get an error page. */
  readonly onDefect: (defect: unknown) => void;
}

export interface Lifetimes {
  readonly defaultTtl: number;
  readonly minTtl: number;
  readonly maxTtl: number;
}

/** Context is what every page is built with. */
export interface Context {
  /** Returns the client for the calls of a request, which acts for its sender. */
  readonly clientOf: (request: PageRequest) => DiscoveryClient;
  readonly options: PageOptions;
  readonly assets: Assets;
  readonly pages: SharedPages;
  readonly errorPage: ErrorPage;
}

/** The target of the form on the home page. */
export const MAKE = `/${ASSET_FOLDER}new`;

/**
 * The target of the form for a secret. A secret in a URL would be stored in logs and in the browser's
 * history.
 */
export const OPEN = `/${ASSET_FOLDER}open`;
