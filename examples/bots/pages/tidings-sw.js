importScripts('{{tidings}}/push/service-worker.js')
