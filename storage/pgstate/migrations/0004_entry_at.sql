-- +goose Up

-- The ID of the entry whose folds, with slashes between them, lead there from a collection. It is NULL
-- if there is none.
-- +goose StatementBegin
CREATE FUNCTION entry_at(collection BIGINT, folds TEXT) RETURNS BIGINT LANGUAGE plpgsql STABLE AS $$
DECLARE
	at BIGINT := collection;
	next TEXT;
BEGIN
	IF folds <> '' THEN
		FOREACH next IN ARRAY string_to_array(folds, '/') LOOP
			SELECT id INTO at FROM entries WHERE parent = at AND fold = next;
			EXIT WHEN at IS NULL;
		END LOOP;
	END IF;
	RETURN at;
END
$$;
-- +goose StatementEnd
