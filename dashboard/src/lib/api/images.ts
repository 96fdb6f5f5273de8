/** Pictures that are kept here for notifications. */

import { call } from '../http'
import { aboutApp } from './calls'

export interface Image {
  id: string
  url: string
  media_type: string
  width: number
  height: number
  bytes: number
  created_at: string
  used_at: string
}

export const images = {
  uploadImage: (file: Blob) => call<Image>('/images', { method: 'POST', query: { app: aboutApp() }, file }),
}
