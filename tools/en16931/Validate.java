import com.helger.diver.api.coord.DVRCoordinate;
import com.helger.io.resource.FileSystemResource;
import com.helger.phive.api.execute.ValidationExecutionManager;
import com.helger.phive.api.executorset.ValidationExecutorSetRegistry;
import com.helger.phive.api.validity.IValidityDeterminator;
import com.helger.phive.en16931.EN16931Validation;
import com.helger.phive.xml.source.IValidationSourceXML;
import com.helger.phive.xml.source.ValidationSourceXML;
import java.util.Locale;

/**
 * Holds UBL files to the schemas of UBL 2.1, then to the rules of EN 16931. Prints a line for each, by tabs: the file, then all that is
 * wrong with it, warnings too.
 */
public class Validate {
  static final String RULES = "1.3.16";

  public static void main(String[] files) {
    var registry = new ValidationExecutorSetRegistry<IValidationSourceXML>();
    EN16931Validation.initEN16931(registry);
    for (var file : files) {
      var source = ValidationSourceXML.create(new FileSystemResource(file));
      var root = source.getNode().getOwnerDocument() == null ? source.getNode().getFirstChild() : source.getNode();
      var kind = root.getLocalName().equals("CreditNote") ? "ubl-creditnote" : "ubl";
      var rules = registry.getOfID(DVRCoordinate.parseOrNull("eu.cen.en16931:" + kind + ":" + RULES));
      var results = ValidationExecutionManager.executeValidation(IValidityDeterminator.createDefault(), rules, source);
      var line = new StringBuilder(file);
      for (var result : results)
        for (var error : result.getErrorList())
          line.append('\t').append(error.getErrorText(Locale.US).replaceAll("\\s+", " "));
      System.out.println(line);
    }
  }
}
