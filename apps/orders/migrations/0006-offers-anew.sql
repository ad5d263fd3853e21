-- An offer may have been lost when its SKU moved, as long as offers were kept by SKU: everything of catalog is compared once more.
UPDATE catalog_feed SET read_until = NULL;
