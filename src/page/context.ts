import type { DiscoveryClient } from '../client/discovery-client.ts';
import type { OperatorClient } from '../client/operator-client.ts';
import type { Work } from '../work.ts';
import { ASSET_FOLDER, type Assets } from './assets.ts';
import type { ErrorPage } from './error-page.ts';
import type { PageRequest } from './reply.ts';
import type { SharedPages } from './shared-pages.ts';

export interface PageOptions {
  /** The URL by which the reader can reach the service, without a slash at the end. */
  readonly urlFor: (request: PageRequest) => string;
  readonly version: string;
  /** The client for what operators ask, which speaks for whoever sent the request. */
  readonly operatorOf: (request: PageRequest) => OperatorClient;
  /** What the service allows of a token's lifetime, in ms. */
  readonly lifetimes: Lifetimes;
  /** Whether every call needs credentials, which browsers then ask for by themselves. */
  readonly needsCredentials?: boolean;
  /** What the work of a page is taken of. */
  readonly workOf?: (request: PageRequest) => Work;
  /** Is told of errors that nobody foresaw; their readers get a page that says so. */
  readonly onDefect: (defect: unknown) => void;
}

export interface Lifetimes {
  readonly defaultTtl: number;
  readonly minTtl: number;
  readonly maxTtl: number;
}

/** What every page is made with. */
export interface Context {
  /** The client for the calls that a request comes to: it speaks for whoever sent the request. */
  readonly clientOf: (request: PageRequest) => DiscoveryClient;
  readonly options: PageOptions;
  readonly assets: Assets;
  readonly pages: SharedPages;
  readonly errorPage: ErrorPage;
}

/** Where the form of the first page goes. */
export const MAKE = `/${ASSET_FOLDER}new`;

/** Where the form for a secret goes. A secret in a URL would stand in logs and in the browser's history. */
export const OPEN = `/${ASSET_FOLDER}open`;
