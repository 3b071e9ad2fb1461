/** A setting of LibreOffice: its path, its name, and its value. */
type Setting = readonly [path: string, name: string, value: string];

const SECURITY = '/org.openoffice.Office.Common/Security/Scripting';
const INTERNET = '/org.openoffice.Inet/Settings';

/** Nothing in a document runs, and nothing outside of it is fetched. */
const SETTINGS: readonly Setting[] = [
  [SECURITY, 'MacroSecurityLevel', '3'],
  [SECURITY, 'DisableMacrosExecution', 'true'],
  [SECURITY, 'DisableActiveContent', 'true'],
  [SECURITY, 'DisablePythonRuntime', 'true'],
  [SECURITY, 'BlockUntrustedRefererLinks', 'true'],
  ['/org.openoffice.Office.Calc/Content/Update', 'Link', '2'],
  ['/org.openoffice.Office.Writer/Content/Update', 'Link', '0'],
  // The address of a proxy at which nothing listens.
  [INTERNET, 'ooInetProxyType', '2'],
  ...['HTTP', 'HTTPS', 'FTP'].flatMap((protocol): Setting[] => [
    [INTERNET, `ooInet${protocol}ProxyName`, '127.0.0.1'],
    [INTERNET, `ooInet${protocol}ProxyPort`, '9'],
  ]),
  [INTERNET, 'ooInetNoProxy', ''],
];

/** The user settings of LibreOffice, as it stores them. */
export const OFFICE_SETTINGS = [
  '<?xml version="1.0" encoding="UTF-8"?>',
  '<oor:items xmlns:oor="http://openoffice.org/2001/registry">',
  ...SETTINGS.map(
    ([path, name, value]) =>
      `<item oor:path="${path}"><prop oor:name="${name}" oor:op="fuse"><value>${value}</value></prop></item>`,
  ),
  '</oor:items>',
].join('\n');
