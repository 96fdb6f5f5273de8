/** The banner's words. Lines of one text become the steps of a list; `{site}` and `{host}` are filled in. */
export interface Texts {
  /** What a screen reader calls the banner. */
  label: string;
  title: string;
  body: string;
  enable: string;
  later: string;
  close: string;
  again: string;
  /** While the browser's own question is open. */
  asking: string;
  /** After the answer, until the device is registered. */
  working: string;
  done: string;
  doneBody: string;
  failed: string;
  /** The browser's question was closed without an answer. */
  undecided: string;
  /** No network. */
  offline: string;
  /** The browser does not reach its push service. */
  push: string;
  pushBrave: string;
  /** The server does not answer, or is busy. */
  server: string;
  /** Something is wrong with the site's set-up. */
  site: string;
  deniedTitle: string;
  deniedChrome: string;
  deniedEdge: string;
  deniedOpera: string;
  deniedFirefox: string;
  deniedSafari: string;
  deniedHomeScreen: string;
  deniedAndroid: string;
  deniedSamsung: string;
  deniedFirefoxAndroid: string;
  deniedOther: string;
  installTitle: string;
  installBody: string;
  installShow: string;
  /** The first step, by browser; `installInApp` for a page that an app shows. */
  installSafari: string;
  installChrome: string;
  installOther: string;
  installInApp: string;
  /** The second step in such an app. */
  installShare: string;
  installAdd: string;
  installOpen: string;
}
