import { limitsMarkdown } from './limits-table.ts';

console.log(limitsMarkdown());
