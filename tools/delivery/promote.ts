import { repository } from '../launcher/stack-file.ts'
import { commitImages, promotedImages } from './overlay.ts'

// npm run promote: the overlay `online` gets the images of `test`, digest by digest. Nothing is built again.

commitImages(repository, 'online', () => promotedImages(repository))
